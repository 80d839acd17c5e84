export function notesOf(changelog: string, version: string): string | null
export function faultsOfRelease(version: string, files: (path: string) => string): string[]
