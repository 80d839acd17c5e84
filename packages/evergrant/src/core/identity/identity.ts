import { Accounts } from './accounts.ts'
import { FactorRemoval } from './factor-removal.ts'
import { FactorService } from './factor-service.ts'
import { IdentityDesk } from './identity-desk.ts'
import type { IdentityPorts } from './identity-ports.ts'
import { Joining } from './joining.ts'
import { SignIn } from './sign-in.ts'

/** All that a server does to know who somebody is. */
export interface Identity {
  readonly signIn: SignIn
  readonly accounts: Accounts
  readonly joining: Joining
  readonly factors: FactorService
  readonly factorRemoval: FactorRemoval
}

export function createIdentity(ports: IdentityPorts): Identity {
  const desk = new IdentityDesk(ports)
  const signIn = new SignIn(desk)
  const accounts = new Accounts(desk, signIn)
  const joining = new Joining(desk, { accounts, signIn })
  return { signIn, accounts, joining, factors: new FactorService(desk), factorRemoval: new FactorRemoval(desk) }
}
