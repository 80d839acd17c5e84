/** The file that stands for `cli/main.ts` of that package of the server. */
export function bundleServer(where?: { readonly server?: string; readonly out?: string }): Promise<string>
