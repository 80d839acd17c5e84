import type { Log } from '../../../evergrant/src/engine.ts'
import type { Life } from './life.ts'
import { TOKEN_MARK } from './token-mint.ts'
import type { World } from './world.ts'

type Fields = Parameters<Log['info']>[0]

/** Reads every line for a token (I15), and counts what is loud. */
export function logOf(world: World, life: Life): Log {
  const line = (level: 'info' | 'warn' | 'error') => (fields: Fields, message: string) => {
    let leaks = message.includes(TOKEN_MARK)
    for (const value of Object.values(fields)) if (typeof value === 'string' && value.includes(TOKEN_MARK)) leaks = true
    if (leaks) world.violate('I15', `a token is in the log: ${message}`)
    if (level === 'error') world.count('loud')
    if (world.tracing)
      world.say(
        `${life.identity.id} ${level}: ${message} ${Object.entries(fields)
          .map(([name, value]) => `${name}=${value}`)
          .join(' ')}`,
      )
  }
  return { info: line('info'), warn: line('warn'), error: line('error') }
}

/** I15 for anything else that leaves: problems, events. */
export function mustNotTell(world: World, text: string, where: string): void {
  if (text.includes(TOKEN_MARK)) world.violate('I15', `a token is in ${where}`)
}
