import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import type { FactorRemovalReport } from '../../core/identity/factor-removal.ts'
import { callerOf } from '../authentication.ts'
import { type App, closed, KEEPABLE, nullable, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'
import { FORM_LIMIT } from './identity-answer.ts'

const Report = Type.Object({
  user: Type.String(),
  email: nullable(Type.String()),
  name: nullable(Type.String()),
  removed: Type.Boolean({ description: 'False: they had none, or this was a dry run; then nothing was changed.' }),
  totp: Type.Integer({ description: 'Authenticator apps.' }),
  passkeys: Type.Integer(),
  recovery_codes: Type.Integer({ description: 'Those that were not used.' }),
  sessions_ended: Type.Integer(),
  signs_in_with: Type.Array(Type.String(), {
    description: 'What they still have: `password`, `provider`. Empty: they need a link for a new password (users/{id}/password-reset).',
  }),
})

/** For the machine itself: whoever lost every second step and all recovery codes keeps what is theirs. */
export function factorRemovalRoute(app: App, { identity: { factorRemoval } }: Services): void {
  app.post(
    '/api/v1/users/factor-removals',
    {
      config: { access: 'admin', ownIdempotency: true },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Remove all second factors of a user who lost them',
        description:
          'Only for the command line on the machine of the server. All factors and recovery codes go, every session ends, and the mailbox is told. Any user of the server; repeated, it changes nothing.',
        tags: ['users'],
        body: closed({
          user: Type.String({ minLength: 3, maxLength: 254, pattern: KEEPABLE, description: 'Id or e-mail address.' }),
          dry_run: Type.Optional(Type.Boolean({ description: 'Says what would be removed, and removes nothing.' })),
        }),
        response: { 200: Report, ...PROBLEMS },
      },
    },
    async (request) => {
      const { actor } = callerOf(request)
      // People belong to several organizations: an administrator of one would open the others with the password they can have reset.
      if (actor.kind !== 'cli')
        throw new Fault('forbidden', {
          detail: 'Second factors are removed by whoever runs the server, on its machine: `evergrant users remove-second-steps`. No role and no key can.',
        })
      const { user, dry_run: dryRun = false } = request.body
      return reportView(dryRun ? await factorRemoval.look(user) : await factorRemoval.removeAll(user, actor))
    },
  )
}

function reportView({ user, removed, totp, passkeys, recoveryCodes, sessions, firstSteps }: FactorRemovalReport) {
  const { id, email, name } = user
  return { user: id, email, name, removed, totp, passkeys, recovery_codes: recoveryCodes, sessions_ended: sessions, signs_in_with: [...firstSteps] }
}
