/**
 * What Weights & Biases calls a system metric and MLflow measures too: MLflow's name for it, and by what the value is
 * multiplied to be in MLflow's unit (MLflow, "System Metrics"; Weights & Biases, "System metrics reference").
 */
const counterparts: readonly (readonly [pattern: RegExp, name: string, factor: number])[] = [
  [/^system\.cpu$|^cpu$/, 'cpu_utilization_percentage', 1],
  [/^memory_percent$|^memory$/, 'system_memory_usage_percentage', 1],
  [/^network\.sent$/, 'network_transmit_megabytes', 1e-6],
  [/^network\.recv$/, 'network_receive_megabytes', 1e-6],
  [/^disk\.\/\.usagePercent$/, 'disk_usage_percentage', 1],
  [/^gpu\.(\d+)\.gpu$/, 'gpu_$1_utilization_percentage', 1],
  [/^gpu\.(\d+)\.memoryAllocated$/, 'gpu_$1_memory_usage_percentage', 1],
  [/^gpu\.(\d+)\.memoryAllocatedBytes$/, 'gpu_$1_memory_usage_megabytes', 1e-6],
  [/^gpu\.(\d+)\.powerWatts$/, 'gpu_$1_power_usage_watts', 1],
  [/^gpu\.(\d+)\.powerPercent$/, 'gpu_$1_power_usage_percentage', 1],
];

/** The name under which a system metric is kept, below `system/` as MLflow's are, and the factor to its unit. */
export function systemMetric(key: string): { readonly name: string; readonly factor: number } {
  for (const [pattern, name, factor] of counterparts) {
    if (pattern.test(key)) return { name: `system/${key.replace(pattern, name)}`, factor };
  }
  return { name: `system/${key}`, factor: 1 };
}
