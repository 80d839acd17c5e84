import { Check, Copy, Terminal } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import { system } from '../system.ts'
import { Button, IconButton } from './button.tsx'
import styles from './copy.module.css'
import { tellProblem } from './toasts.tsx'

const SHOWN_MS = 1_600

/** Puts a text on the clipboard. False where the browser refuses. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyByHand(text)
  }
}

/** Plain http off loopback has no clipboard API. Outside of a modal dialog nothing can be selected while it is open. */
function copyByHand(text: string): boolean {
  const before = document.activeElement
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'unseen'
  const place = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body
  place.append(field)
  field.select()
  const done = document.activeElement === field && document.execCommand('copy')
  field.remove()
  if (before instanceof HTMLElement) before.focus({ preventScroll: true })
  return done
}

/** Said where the browser copies nothing. */
export const notCopied = (): Error => new Error('The browser did not let this page copy. Select the text and copy it by hand.')

function useCopied(): [copied: boolean, copy: (text: string) => void] {
  const [copied, setCopied] = useState(false)
  useEffect(() => (copied ? system.after(SHOWN_MS, () => setCopied(false)) : undefined), [copied])
  return [copied, (text) => void copyText(text).then((done) => (done ? setCopied(true) : tellProblem(notCopied())))]
}

/** A small button that copies; it says so, to screen readers as well. */
export function CopyButton({ text, label = 'Copy', words }: { readonly text: string; readonly label?: string; readonly words?: string }): ReactNode {
  const [copied, copy] = useCopied()
  const icon = copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />
  return (
    <>
      {words === undefined ? (
        <IconButton small label={copied ? 'Copied' : label} onClick={() => copy(text)}>
          {icon}
        </IconButton>
      ) : (
        <Button small icon={icon} onClick={() => copy(text)}>
          {copied ? 'Copied' : words}
        </Button>
      )}
      <span className="unseen" role="status">
        {copied ? 'Copied' : ''}
      </span>
    </>
  )
}

/** An id, in one line, with the button that copies it. */
export function Id({ id, short = false }: { readonly id: string; readonly short?: boolean }): ReactNode {
  return (
    <span className={styles['id']}>
      <code title={id}>{short ? shortened(id) : id}</code>
      <CopyButton text={id} label={`Copy ${id}`} />
    </span>
  )
}

/** `con_…9f2c1a`: the kind and the end, which is what differs. */
export const shortened = (id: string): string => (id.length <= 16 ? id : `${id.slice(0, id.indexOf('_') + 1)}…${id.slice(-6)}`)

interface CurlProps {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** Below the server's address: `/api/v1/connections`. */
  readonly path: string
  readonly body?: unknown
}

/** The same request for a terminal. The key is a variable, so that no secret is ever on the clipboard. */
export function curlOf({ method = 'GET', path, body }: CurlProps, base = new URL('..', document.baseURI).href.replace(/\/$/, '')): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
  return [
    'curl -sS',
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    quoted(base + path),
    '-H "Authorization: Bearer $EVERGRANT_API_KEY"',
    ...(body === undefined ? [] : [`-H 'Content-Type: application/json'`, `-d ${quoted(JSON.stringify(body))}`]),
  ].join(' ')
}

export function CopyAsCurl(request: CurlProps): ReactNode {
  const [copied, copy] = useCopied()
  return (
    <Button small look="quiet" icon={copied ? <Check size={14} aria-hidden /> : <Terminal size={14} aria-hidden />} onClick={() => copy(curlOf(request))}>
      {copied ? 'Copied' : 'Copy as curl'}
    </Button>
  )
}

/** A text to take away whole: a key that is shown once, a link, a snippet. */
export function CopyBox({ text, label }: { readonly text: string; readonly label: string }): ReactNode {
  return (
    <div className={styles['box']}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section tabIndex={0} aria-label={label}>
        <pre>{text}</pre>
      </section>
      <CopyButton text={text} label={`Copy ${label}`} words="Copy" />
    </div>
  )
}
