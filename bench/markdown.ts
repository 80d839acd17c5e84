/** A Markdown table, its columns padded so that it reads well as text, too. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const width = head.map((title, column) => Math.max(title.length, 3, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => cell.padEnd(width[column] ?? 0)).join(' | ')} |`
  return [line(head), `| ${width.map((size) => '-'.repeat(size)).join(' | ')} |`, ...rows.map(line)].join('\n')
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en-US')
export const short = (value: number): string => (value >= 100 ? whole(value) : Number(value.toPrecision(2)).toString())
export const megabytes = (bytes: number): string => `${whole(bytes / 1e6)} MB`
export const milliseconds = (value: number): string => `${short(value)} ms`
