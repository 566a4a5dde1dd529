/** What the workbench shall open and load. */
export interface WorkbenchAddress {
  /** Such as `127.0.0.1:40123`. */
  readonly authority: string;
  /** Absolute path of a folder, or of a `.code-workspace` file. */
  readonly workspace: string;
  /** Absolute path of an extension that is loaded from its folder. */
  readonly extensionFolder?: string;
  /** Absolute path of a module whose `run()` is called in the extension host. */
  readonly testsModule?: string;
}

/** The address at which a VS Code server shows its workbench; extensions in development are named in a payload. */
export function workbenchAddress(options: WorkbenchAddress): string {
  const remote = (path: string): string => `vscode-remote://${options.authority}${encodeURI(path)}`;
  const payload: [string, string][] = [];
  if (options.extensionFolder) payload.push(['extensionDevelopmentPath', remote(options.extensionFolder)]);
  if (options.testsModule) payload.push(['extensionTestsPath', remote(options.testsModule)]);
  const address = new URL(`http://${options.authority}/`);
  const kind = options.workspace.endsWith('.code-workspace') ? 'workspace' : 'folder';
  address.searchParams.set(kind, options.workspace);
  if (payload.length > 0) address.searchParams.set('payload', JSON.stringify(payload));
  return address.href;
}
