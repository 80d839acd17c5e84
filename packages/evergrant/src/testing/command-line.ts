import { runCommandLine } from '../cli/program.ts'

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/**
 * Runs one command in this process, as `main.ts` would in one of its own: the same words, the same exit codes, without half a second of start.
 * `env` stands in for the whole EVERGRANT_... environment while it runs, so a file runs one command at a time. Not for `serve`.
 */
export async function runHere(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const before = ownVariables()
  for (const name of Object.keys(before)) delete process.env[name]
  Object.assign(process.env, env)
  const said = { out: '', err: '' }
  try {
    const code = await runCommandLine(args, {
      out: (text) => {
        said.out += text
      },
      err: (text) => {
        said.err += text
      },
      interactive: false,
    })
    return { code, ...said }
  } finally {
    for (const name of Object.keys(ownVariables())) delete process.env[name]
    Object.assign(process.env, before)
  }
}

function ownVariables(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (name.startsWith('EVERGRANT_') && value !== undefined ? [[name, value]] : [])),
  )
}
