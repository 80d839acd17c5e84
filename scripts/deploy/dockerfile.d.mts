export interface IgnoreRule {
  readonly keep: boolean
  readonly pattern: string
}
export function faultsOfDockerfile(text: string): string[]
export function ignoreRules(text: string): IgnoreRule[]
export function isSent(path: string, rules: readonly IgnoreRule[]): boolean
export function contextOf(root: string): string[]
