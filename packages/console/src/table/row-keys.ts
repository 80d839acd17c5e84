import { copyText, notCopied } from '../design/copy.tsx'
import { tell, tellProblem } from '../design/toasts.tsx'
import { useShortcuts } from '../shortcuts/shortcuts.ts'

interface Body {
  readonly current: HTMLElement | null
}

const rowsOf = (body: Body): HTMLElement[] => [...(body.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]
const rowInFocus = (): HTMLElement | null => (document.activeElement as HTMLElement | null)?.closest<HTMLElement>('[data-row]') ?? null

/** The focus goes to the row's own link, so that Enter opens it as everywhere. */
function focusRow(row: HTMLElement | undefined): void {
  if (row === undefined) return
  const target = row.querySelector<HTMLElement>('a, button:not([aria-label^="Copy"])') ?? row.querySelector<HTMLElement>('input')
  target?.focus()
  row.scrollIntoView({ block: 'nearest' })
}

/** `j`, `k`, `x`, `.` in the rows of a table. */
export function useRowKeys(body: Body, toggle: (id: string) => void): void {
  const move = (by: 1 | -1): void => {
    const rows = rowsOf(body)
    const row = rowInFocus()
    const at = row === null ? (by === 1 ? -1 : rows.length) : rows.indexOf(row)
    focusRow(rows[Math.min(Math.max(at + by, 0), rows.length - 1)])
  }
  useShortcuts('Lists', [
    { keys: 'j', text: 'Next row', run: () => move(1) },
    { keys: 'k', text: 'Row before', run: () => move(-1) },
    {
      keys: 'x',
      text: 'Select the row',
      run: () => {
        const id = rowInFocus()?.dataset['row']
        if (id !== undefined) toggle(id)
      },
    },
    {
      keys: '.',
      text: 'Copy the id of the row',
      run: () => {
        const id = rowInFocus()?.dataset['row']
        if (id !== undefined) void copyText(id).then((done) => (done ? tell(`Copied ${id}`) : tellProblem(notCopied())))
      },
    },
  ])
}
