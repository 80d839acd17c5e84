import { Accounts } from './accounts.ts'
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
}

export function createIdentity(ports: IdentityPorts): Identity {
  const desk = new IdentityDesk(ports)
  const signIn = new SignIn(desk)
  const accounts = new Accounts(desk, signIn)
  return { signIn, accounts, joining: new Joining(desk, { accounts, signIn }), factors: new FactorService(desk) }
}
