export interface InstalledPackage {
  readonly name: string
  readonly version: string
  readonly licence: string
}
export function isAllowed(licence: string): boolean
export function runtimePackages(folder: string): ReadonlyMap<string, InstalledPackage>
