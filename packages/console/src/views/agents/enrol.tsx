import { type ReactNode, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { CopyBox } from '../../design/copy.tsx'
import { TextField } from '../../design/field.tsx'
import { Answered, Empty } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { serverUrl } from '../../session/client.ts'
import { Time } from '../../time/time.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { downloadPosted } from '../parts/download-posted.ts'
import { Once } from '../parts/once.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import type { Agent } from './agent-words.tsx'

const CODES = ['GET /api/v1/agents/{id}/enrolment-codes'] as const

/** Three ways to bring a machine in. The key is made on the machine and never leaves it. */
export function Enrol({ agent }: { readonly agent: Agent }): ReactNode {
  const [name, setName] = useState('')
  const [code, setCode] = useState<string | null>(null)
  const make = useDeed('POST /api/v1/agents/{id}/enrolment-codes', { refreshes: CODES, onDone: (answer) => setCode(answer.code) })
  return (
    <div className={parts['stack']}>
      <div className={parts['two']}>
        <Card title="With a one-time code" note="Worth nothing after one use, or an hour.">
          <div className={parts['form']}>
            <TextField label="Name of the installation" hint="Empty: the name of its host." value={name} onChange={setName} />
            <DeedProblem error={make.error} />
            <div className={parts['actions']}>
              <Button
                look="primary"
                busy={make.isPending}
                onClick={() => make.mutate({ path: { id: agent.id }, body: name.trim() === '' ? {} : { name: name.trim() } })}
              >
                Make an enrolment code
              </Button>
              <Project agent={agent} name={name.trim()} />
            </div>
          </div>
        </Card>
        <Card title="By a person at a page">
          <div className={parts['form']}>
            <p>On the machine, without a code. It shows a short code and waits for somebody who confirms it:</p>
            <CopyBox text={`npx @evergrant/sdk enroll --device --server ${serverUrl()}`} label="the command" />
            <p>
              <a href={`${serverUrl()}/device`} target="_blank" rel="noreferrer">
                Open the page where a machine is confirmed
              </a>
            </p>
          </div>
        </Card>
      </div>
      <OpenCodes agent={agent} />
      <Once title="The enrolment code" lead="Run this on the machine. It makes its key there and proves it." secret={code} onClose={() => setCode(null)}>
        <CopyBox text={`npx @evergrant/sdk enroll ${code ?? ''} --server ${serverUrl()}`} label="the command with the code" />
      </Once>
    </div>
  )
}

/** A zip file with a small program, the address of this server and a one-time code. */
function Project({ agent, name }: { readonly agent: Agent; readonly name: string }): ReactNode {
  const [state, setState] = useState<{ readonly busy: boolean; readonly error: unknown }>({ busy: false, error: null })
  const take = async (): Promise<void> => {
    setState({ busy: true, error: null })
    try {
      await downloadPosted(`/api/v1/agents/${agent.id}/download`, name === '' ? {} : { name }, `${agent.name}.zip`)
      setState({ busy: false, error: null })
      tell('The project is downloaded. Its first run enrols the machine.')
    } catch (error) {
      setState({ busy: false, error })
    }
  }
  return (
    <>
      <Button busy={state.busy} onClick={() => void take()}>
        Download a ready project
      </Button>
      <DeedProblem error={state.error} />
    </>
  )
}

function OpenCodes({ agent }: { readonly agent: Agent }): ReactNode {
  const query = useApi('GET /api/v1/agents/{id}/enrolment-codes', { path: { id: agent.id } })
  const withdraw = useDeed('DELETE /api/v1/agents/{id}/enrolment-codes/{code}', { refreshes: CODES, onDone: () => tell('The code is withdrawn.') })
  return (
    <Card title="Codes that may still be used" flush>
      <Answered query={query} rows={2}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No code waits for a machine">
              <p>A code that was made stands here until a machine has used it, or its hour is over.</p>
            </Empty>
          ) : (
            <Rows
              label="Enrolment codes"
              items={items}
              keyOf={({ id }) => id}
              columns={[
                { name: 'For', cell: ({ name }) => name ?? 'any machine' },
                { name: 'Made', cell: ({ created_at: at }) => <Time at={at} /> },
                { name: 'Over', cell: ({ expires_at: at }) => <Time at={at} /> },
                {
                  name: 'Deeds',
                  deeds: true,
                  cell: ({ id }) => (
                    <Button small look="danger" onClick={() => withdraw.mutate({ path: { id: agent.id, code: id } })}>
                      Withdraw
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Answered>
      <DeedProblem error={withdraw.error} />
    </Card>
  )
}
