/**
 * Latencies counted in buckets that grow by a tenth, so that every percentile is known to within 5 %, and histograms
 * of different times and processes can be added up.
 *
 * Bucket 0 holds up to 20 microseconds; bucket i holds up to 20 · 1.1^i; the last one, 160, everything from a good
 * minute on.
 */
export const latencyBucketCount = 161;

const firstBoundMicroseconds = 20;
const growth = 1.1;
const logarithm = Math.log(growth);

/** The bucket of a latency in microseconds. */
export function latencyBucket(microseconds: number): number {
  if (microseconds <= firstBoundMicroseconds) return 0;
  const bucket = Math.ceil(Math.log(microseconds / firstBoundMicroseconds) / logarithm - 1e-9);
  return Math.min(bucket, latencyBucketCount - 1);
}

/** The largest latency of a bucket in microseconds. */
export function latencyBucketBound(bucket: number): number {
  return firstBoundMicroseconds * growth ** bucket;
}

/**
 * The latency in microseconds that a share of all latencies does not exceed: the geometric middle of its bucket.
 *
 * @param counts of each bucket.
 * @param share between 0 and 1.
 * @returns null when nothing was counted.
 */
export function latencyPercentile(counts: ArrayLike<number>, share: number): number | null {
  let total = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) total += counts[bucket] ?? 0;
  if (total === 0) return null;
  const wanted = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    seen += counts[bucket] ?? 0;
    if (seen >= wanted) return latencyBucketBound(bucket) / Math.sqrt(growth);
  }
  return null;
}
