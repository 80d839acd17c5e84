export interface ConsoleSize {
  readonly name: string
  readonly budget: number
  readonly minified: number
  readonly compressed: number
}
export function consoleSizes(folder?: string): readonly ConsoleSize[]
