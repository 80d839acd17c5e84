import type { KeyCustody } from '../../installation.ts'
import { shown } from '../facts.ts'
import type { Judging, TrustFactor } from './factor.ts'

/** Where the private key lives: the weakest of all that work counts. */
export function custodyFactor({ facts: { weakestKey, installations }, policy }: Judging): TrustFactor {
  const available = policy.custodyAvailable
  if (weakestKey === null)
    return {
      id: 'custody',
      earned: 0,
      available,
      known: 0,
      facts: [shown('installations', installations.working, 'installations')],
      advice: 'Enrol a machine.',
    }
  const { custody, installation } = weakestKey
  return {
    id: 'custody',
    earned: policy.custody[custody],
    available,
    known: available,
    facts: [shown('custody', custody, installation), shown('installations', installations.working, 'installations')],
    advice: ADVICE[custody],
  }
}

const ADVICE: Readonly<Record<KeyCustody, string | null>> = {
  hardware: null,
  keychain: 'Keep the key in hardware, where it cannot be copied.',
  workload: 'Keep the key in hardware, where it cannot be copied.',
  file: 'Move the key from a file to the keychain of the machine.',
  environment: 'Move the key out of the environment, to the keychain of the machine or to a workload identity.',
}
