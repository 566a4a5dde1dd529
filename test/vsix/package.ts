import { stat } from 'node:fs/promises';
import { packageExtension } from './packageExtension.ts';

const file = await packageExtension();
const { size } = await stat(file);
console.log(`${file} (${(size / 1024 / 1024).toFixed(1)} MB)`);
