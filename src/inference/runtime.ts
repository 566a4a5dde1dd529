/** The inference runtime. */
export type Runtime = typeof import('onnxruntime-node');

/**
 * Loads the runtime, once.
 *
 * The binding (1.30) takes and gives 16-bit floats as `Uint16Array`, but its JavaScript half expects the language's
 * `Float16Array` where there is one, and then every tensor of them fails. So that is taken away before it looks.
 */
export async function loadRuntime(): Promise<Runtime> {
  Reflect.deleteProperty(globalThis, 'Float16Array');
  return await import('onnxruntime-node');
}
