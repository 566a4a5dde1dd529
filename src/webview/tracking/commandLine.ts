/** A command as one would type it into a shell: what needs quotes stands in quotes, but for the `***` of a secret. */
export function commandLine(command: readonly string[]): string {
  return command.map(quoted).join(' ');
}

function quoted(argument: string): string {
  return /^(?=.)[\w@%+=:,./-]*(\*\*\*)?$/.test(argument)
    ? argument
    : `'${argument.replaceAll("'", "'\\''")}'`;
}
