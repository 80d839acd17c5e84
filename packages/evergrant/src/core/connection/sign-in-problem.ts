import { setByChoices } from '../provider/choices.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { Integration } from './integration.ts'

/** Where an account's id may come from when somebody signs in with it: from the provider itself, never through the browser, and never our own word. */
const TOLD_BY_PROVIDER: ReadonlySet<string> = new Set(['answer', 'id_token', 'access_token', 'request'])

/** Why nobody can sign in through this integration; null when they can. One sentence for the operator. */
export function signInProblem({ variables }: Pick<Integration, 'variables'>, record: ProviderRecord): string | null {
  if (record.grant !== 'authorization_code' || record.authorize.callback.by !== 'redirect')
    return `Nobody signs in through ${record.name}: its flow does not bring a person's browser back with a code.`
  const sources = record.account.map(({ from }) => from)
  if (sources.length === 0) return `${record.name} does not say which account granted access, so nobody can be told apart by it.`
  if (!sources.every((source) => TOLD_BY_PROVIDER.has(source)))
    return `At ${record.name} the account's id comes through the browser or from the person, so anybody could claim to be somebody else.`
  const chosen = setByChoices(record)
  const open = Object.entries(record.variables).find(([name, { askedOf }]) => askedOf === 'connection' && !Object.hasOwn(variables, name) && !chosen.has(name))
  return open === undefined ? null : `${record.name} needs \`${open[0]}\` (${open[1].label}) for everybody: set it in the integration's \`variables\`.`
}
