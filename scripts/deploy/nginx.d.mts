/** A shipped file with the folder and the port of one run. */
export function ofThisRun(text: string, run: { readonly folder: string; readonly port: number }): string
