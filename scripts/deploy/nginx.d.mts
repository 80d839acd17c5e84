/** A shipped file with the folder and the port of one run. */
export function ofThisRun(text: string, run: { readonly folder: string; readonly port: number }): string
/** Directives that name folders for what nginx keeps for a moment. */
export function temporary(folder: string): string
