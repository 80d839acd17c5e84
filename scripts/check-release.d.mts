export function notesOf(changelog: string, version: string): string | null
interface BillOfMaterials {
  readonly components?: readonly { readonly group?: string; readonly name: string; readonly version: string }[]
}
export function partsMissing(bill: BillOfMaterials, packages: Iterable<{ readonly name: string; readonly version: string }>): string[]
export function faultsOfRelease(version: string, files: (path: string) => string): string[]
