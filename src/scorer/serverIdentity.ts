import manifest from '../../package.json' with { type: 'json' };

/** How the scorer calls itself in the protocols that ask. */
export const serverName = manifest.name;
export const serverVersion = manifest.version;
