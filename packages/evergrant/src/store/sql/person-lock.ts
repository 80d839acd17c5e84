import type { UserId } from '../../core/ids.ts'
import type { User } from '../../core/user/user.ts'
import { type Dialect, type Program, row } from './program.ts'
import { integer, integerOrNull } from './rows.ts'

/**
 * Everybody who decides about a person as a whole, or adds to what is theirs, takes this lock first: nothing is added behind the back of a removal. A row
 * that only refers to the person takes a weaker one, which passes by it. Undefined: there is no such person.
 */
export function* lockPerson(dialect: Dialect, id: UserId): Program<Pick<User, 'version' | 'disabledAt'> | undefined> {
  const found = yield* row(`select p.version, p.disabled_at from person p where p.id = ? ${dialect.forUpdate('p')}`, id)
  return found === undefined ? undefined : { version: integer(found, 'version'), disabledAt: integerOrNull(found, 'disabled_at') }
}
