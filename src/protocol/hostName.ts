import { z } from 'zod';
import { errorDetails } from './errorDetails.ts';

/** Names of the machine's own loopback interface, as a `Host` header and `URL.hostname` have them. */
export const loopbackNames: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * A host as browsers name it, without scheme, port and path, such as `models.example.com`, `10.0.0.5` or `[fd00::1]`;
 * gives it in lower case. There are no wildcards.
 */
export const hostName = z
  .string()
  .max(253)
  .regex(
    /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*|\[[0-9A-Fa-f:.]+\])$/,
    { error: errorDetails.expectedHostName },
  )
  .transform((name) => name.toLowerCase());
