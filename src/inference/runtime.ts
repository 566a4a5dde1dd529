/** The inference runtime. */
export type Runtime = typeof import('onnxruntime-node');

/**
 * Loads the runtime, once.
 *
 * The binding (1.30) takes and gives 16-bit floats as `Uint16Array`, but its JavaScript half expects the language's
 * `Float16Array` where there is one, and then every tensor of them fails. So that is taken away before it looks.
 *
 * Since 1.29 it would tell its makers of models and machines; it looks at this variable once, when it is loaded.
 */
export async function loadRuntime(): Promise<Runtime> {
  process.env.ORT_DISABLE_TELEMETRY = '1';
  Reflect.deleteProperty(globalThis, 'Float16Array');
  return await import('onnxruntime-node');
}
