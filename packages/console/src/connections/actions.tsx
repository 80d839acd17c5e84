import type { Connection } from '@evergrant/sdk/wire'
import { CirclePause, CirclePlay, FlaskConical, Link2, RefreshCw } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useDeed } from '../api/queries.ts'
import { Button } from '../design/button.tsx'
import { CopyBox } from '../design/copy.tsx'
import { Dialog } from '../design/dialog.tsx'
import { tell, tellProblem } from '../design/toasts.tsx'
import { Time } from '../time/time.tsx'
import { CONNECTION_READS } from './connection-reads.ts'

/** The next step first; then what is harmless. What is not stands under "Danger". */
export function Actions({ connection }: { readonly connection: Connection }): ReactNode {
  const { id, status, reconnect_modes: modes } = connection
  const [link, setLink] = useState<{ readonly url: string; readonly expires_at: string } | null>(null)
  const input = { path: { id } }
  const failed = { onError: tellProblem }
  const reconnect = useDeed('POST /api/v1/connections/{id}/reconnect', { onDone: setLink })
  const test = useDeed('POST /api/v1/connections/{id}/test', {
    refreshes: CONNECTION_READS,
    onDone: ({ result, detail }) => tell(`Tested: ${result}${detail === null ? '' : `. ${detail}`}`),
  })
  const refresh = useDeed('POST /api/v1/connections/{id}/refresh', {
    refreshes: CONNECTION_READS,
    onDone: ({ changed }) => tell(changed ? 'Refreshed: a new token is stored' : 'It was fresh already'),
  })
  const pause = useDeed('POST /api/v1/connections/{id}/pause', {
    refreshes: CONNECTION_READS,
    // Also pressed when this page is gone: what a component asked for then tells nobody how it ended, what it waits for does.
    onDone: () => tell('Paused', { text: 'Undo', run: () => void resume.mutateAsync(input).catch(tellProblem) }),
  })
  const resume = useDeed('POST /api/v1/connections/{id}/resume', { refreshes: CONNECTION_READS, onDone: () => tell('Resumed') })
  if (status === 'disconnected') return null
  const needsOwner = status === 'needs_reauth'
  return (
    <>
      {modes.includes('link') ? (
        <Button
          look={needsOwner ? 'primary' : 'plain'}
          icon={<Link2 size={14} aria-hidden />}
          busy={reconnect.isPending}
          onClick={() => reconnect.mutate({ ...input, body: { mode: 'link' } }, failed)}
        >
          Reconnect link
        </Button>
      ) : null}
      <Button icon={<FlaskConical size={14} aria-hidden />} busy={test.isPending} disabled={needsOwner} onClick={() => test.mutate(input, failed)}>
        Test now
      </Button>
      <Button
        icon={<RefreshCw size={14} aria-hidden />}
        busy={refresh.isPending}
        disabled={needsOwner || status === 'paused'}
        onClick={() => refresh.mutate(input, failed)}
      >
        Refresh now
      </Button>
      {status === 'paused' ? (
        <Button icon={<CirclePlay size={14} aria-hidden />} busy={resume.isPending} onClick={() => resume.mutate(input, failed)}>
          Resume
        </Button>
      ) : (
        <Button icon={<CirclePause size={14} aria-hidden />} busy={pause.isPending} onClick={() => pause.mutate(input, failed)}>
          Pause
        </Button>
      )}
      <Dialog
        open={link !== null}
        onClose={() => setLink(null)}
        title="Reconnect link"
        lead="Send it to the owner of this connection. It works once; opening it changes nothing by itself."
      >
        {link === null ? null : (
          <>
            <CopyBox text={link.url} label="Reconnect link" />
            <p>
              It ends <Time at={link.expires_at} as="both" />. The same account has to be chosen; the connection keeps its id.
            </p>
          </>
        )}
      </Dialog>
    </>
  )
}
