import { problemOf } from '../api/problem.ts'
import { tellProblem, tellWayOut } from '../design/toasts.tsx'
import { serverUrl } from './client.ts'

/** The server wants to know again who is there. */
export const wantsProof = (error: unknown): boolean => problemOf(error).code === 'reauthentication_required'

/** Where somebody proves again who they are. It ends on a page that says so: in a tab of its own, what was typed here stays. */
export const confirmUrl = (): string => `${serverUrl()}/auth/confirm?return_url=${encodeURIComponent('/me?done=confirmed')}`

/** Says that something was not done, with the way out where the server only wants to know again who is there. */
export function tellRefusal(error: unknown): void {
  if (!wantsProof(error)) return tellProblem(error)
  tellWayOut('Please confirm that it is you, in a tab of its own, and then do this again.', {
    text: 'Confirm',
    run: () => void window.open(confirmUrl(), '_blank', 'noopener'),
  })
}
