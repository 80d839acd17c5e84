import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { TextField } from '../../design/field.tsx'
import { tell } from '../../design/toasts.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { useGo } from '../parts/go.ts'
import parts from '../parts/parts.module.css'

/** A new agent may use nothing: its page asks for its policy next. */
export function NewAgent({ onClose }: { readonly onClose: () => void }): ReactNode {
  const form = useId()
  const go = useGo()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const make = useDeed('POST /api/v1/agents', {
    refreshes: ['GET /api/v1/agents'],
    onDone: (agent) => {
      tell(`${agent.name} is there. Say what it may do, then enrol a machine.`)
      onClose()
      go(`/agents/${agent.id}`, { tab: 'policy' })
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    make.mutate({ body: { name: name.trim(), ...(description.trim() === '' ? {} : { description: description.trim() }) } })
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title="New agent"
      lead="You answer for it. It may use nothing until its policy says so."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="primary" busy={make.isPending} disabled={name.trim() === ''}>
            Make the agent
          </Button>
        </>
      }
    >
      <form id={form} className={parts['form']} onSubmit={submit}>
        <TextField label="Name" required maxLength={100} value={name} onChange={setName} />
        <TextField label="What it does" multiline value={description} onChange={setDescription} />
        <DeedProblem error={make.error} />
      </form>
    </Dialog>
  )
}
