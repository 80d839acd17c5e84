/** What a command of the lab says when its command line cannot be read. Nothing is run: a campaign of zero rounds looks green. */
export class UsageError extends Error {}

/** Reads the options; `--help` prints `help` and ends with 0, what cannot be read ends with 2 and says what it was. */
export function readCommandLine<Options>(help: string, read: (args: string[]) => Options, args = process.argv.slice(2)): Options {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help)
    process.exit(0)
  }
  try {
    return read(args)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    process.exit(2)
  }
}

/** @throws UsageError unless `text` is a whole number from 1 on */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 1) throw new UsageError(`--${option} is a whole number from 1 on, not '${text}'`)
  return value
}

/** Minutes of a run, a tenth of one at least. @throws UsageError */
export function duration(option: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0.1) throw new UsageError(`--${option} is a number from 0.1 on, not '${text}'`)
  return value
}

/** @throws UsageError unless `text` is one of `known` */
export function oneOf<Value extends string>(option: string, text: string, known: readonly Value[]): Value {
  const found = known.find((value) => value === text)
  if (found === undefined) throw new UsageError(`--${option} is one of ${known.join(', ')}, not '${text}'`)
  return found
}
