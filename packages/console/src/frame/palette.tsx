import { useNavigate } from '@tanstack/react-router'
import { Command } from 'cmdk'
import { CornerDownLeft, Keyboard, Moon, Plug, Sun } from 'lucide-react'
import { type ReactNode, useDeferredValue, useEffect, useRef, useState } from 'react'
import type { Answer } from '../api/operations.ts'
import { problemOf } from '../api/problem.ts'
import { useApi } from '../api/queries.ts'
import { useFocusGivenBack } from '../design/focus-given-back.ts'
import { ConnectionState } from '../design/state.tsx'
import { prefer } from '../preferences/preferences.ts'
import { pathOfId } from './id-path.ts'
import styles from './palette.module.css'
import { SECTIONS } from './sections.ts'

const FOUND_MAX = 8

/** Jumps anywhere: a page, a connection by name, account or owner, or any id that is pasted. */
export function Palette({ onClose, onKeys }: { readonly onClose: () => void; readonly onKeys: () => void }): ReactNode {
  const ref = useRef<HTMLDialogElement>(null)
  const [text, setText] = useState('')
  const navigate = useNavigate()
  useFocusGivenBack()
  useEffect(() => {
    ref.current?.showModal()
    // The browser gives the focus to the first thing that can have it, which is what stands around the field.
    ref.current?.querySelector('input')?.focus()
  }, [])
  const go = (to: string): void => {
    onClose()
    void navigate({ to: to as never })
  }
  const q = useDeferredValue(text.trim())
  const landing = pathOfId(q)
  const isAsked = landing === null && q.length >= 2
  const { data, error } = useApi('GET /api/v1/connections', { query: { q, limit: FOUND_MAX } }, { enabled: isAsked })
  const [chosen, setChosen] = useState('')
  // The items come after the typing: what a pasted id leads to is chosen at once.
  useEffect(() => {
    if (landing !== null) setChosen(`id ${q}`)
  }, [landing, q])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes it
    <dialog ref={ref} className={styles['dialog']} aria-label="Search" onClose={onClose} onClick={(event) => event.target === ref.current && onClose()}>
      <Command label="Search" loop shouldFilter={false} value={chosen} onValueChange={setChosen}>
        <Command.Input
          value={text}
          onValueChange={setText}
          placeholder="Where to? A name, an account, an owner, or any id"
          onKeyDown={(event) => {
            const pasted = event.key === 'Enter' ? pathOfId(text) : null
            if (pasted === null) return
            event.preventDefault()
            go(pasted)
          }}
          className={styles['input']}
          autoFocus
        />
        <Command.List className={styles['list']}>
          <Command.Empty className={styles['empty']}>
            {isAsked && data === undefined ? (error === null ? 'Searching…' : 'No page is called that.') : 'Nothing is called that.'}
          </Command.Empty>
          {landing === null ? null : (
            <Command.Item className={styles['item']} value={`id ${q}`} onSelect={() => go(landing)}>
              <CornerDownLeft size={15} aria-hidden />
              <span>
                Open <code>{q}</code>
              </span>
            </Command.Item>
          )}
          {isAsked && error !== null ? (
            <p className={styles['empty']} role="alert">
              Connections could not be searched. {problemOf(error).detail}
            </p>
          ) : null}
          {isAsked && data !== undefined ? <Connections found={data.items} onPick={go} /> : null}
          <Places q={q} onPick={go} />
          <Actions
            q={q}
            onKeys={onKeys}
            onTheme={(theme) => {
              prefer({ theme })
              onClose()
            }}
          />
        </Command.List>
      </Command>
    </dialog>
  )
}

const matches = (q: string, text: string): boolean => q === '' || text.toLowerCase().includes(q.toLowerCase())

function Places({ q, onPick }: { readonly q: string; readonly onPick: (to: string) => void }): ReactNode {
  const found = SECTIONS.filter(({ text }) => matches(q, text))
  if (found.length === 0) return null
  return (
    <Command.Group heading="Pages" className={styles['group']}>
      {found.map(({ path, text, icon: Icon, key }) => (
        <Command.Item key={path} value={`page ${text}`} className={styles['item']} onSelect={() => onPick(path)}>
          <Icon size={15} aria-hidden />
          <span>{text}</span>
          <kbd>g {key}</kbd>
        </Command.Item>
      ))}
    </Command.Group>
  )
}

type Found = Answer<'GET /api/v1/connections'>['items']

function Connections({ found, onPick }: { readonly found: Found; readonly onPick: (to: string) => void }): ReactNode {
  if (found.length === 0) return null
  return (
    <Command.Group heading="Connections" className={styles['group']}>
      {found.map(({ id, account, owner, integration, status }) => (
        <Command.Item key={id} value={id} className={styles['item']} onSelect={() => onPick(`/connections/${id}`)}>
          <Plug size={15} aria-hidden />
          <span>
            {account.label ?? account.id ?? owner} <span className={styles['soft']}>{integration}</span>
          </span>
          <ConnectionState status={status} />
        </Command.Item>
      ))}
    </Command.Group>
  )
}

function Actions({ q, onKeys, onTheme }: { readonly q: string; readonly onKeys: () => void; readonly onTheme: (theme: 'light' | 'dark') => void }): ReactNode {
  const actions = [
    { text: 'Light theme', icon: Sun, run: () => onTheme('light') },
    { text: 'Dark theme', icon: Moon, run: () => onTheme('dark') },
    { text: 'Show all keys', icon: Keyboard, run: onKeys },
  ].filter(({ text }) => matches(q, text))
  if (actions.length === 0) return null
  return (
    <Command.Group heading="Actions" className={styles['group']}>
      {actions.map(({ text, icon: Icon, run }) => (
        <Command.Item key={text} value={`action ${text}`} className={styles['item']} onSelect={run}>
          <Icon size={15} aria-hidden />
          <span>{text}</span>
        </Command.Item>
      ))}
    </Command.Group>
  )
}
