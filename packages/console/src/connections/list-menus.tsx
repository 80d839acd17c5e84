import { useNavigate } from '@tanstack/react-router'
import { Bookmark, Columns3 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { Button } from '../design/button.tsx'
import { Confirm } from '../design/confirm.tsx'
import { TextField } from '../design/field.tsx'
import { Menu, type MenuItem } from '../design/menu.tsx'
import { prefer, preferences, usePreferences } from '../preferences/preferences.ts'
import { without } from '../router/page-search.ts'

interface ColumnMenuProps {
  readonly table: string
  readonly columns: readonly { readonly id: string; readonly header: string; readonly main?: boolean; readonly extra?: boolean }[]
}

/** Which columns a table shows, and how tall its rows are. */
export function ColumnMenu({ table, columns }: ColumnMenuProps): ReactNode {
  const { hiddenColumns, density } = usePreferences()
  const hidden = hiddenColumns[table] ?? columns.flatMap(({ id, extra }) => (extra === true ? [id] : []))
  const toggle = (id: string): void => {
    const next = hidden.includes(id) ? hidden.filter((one) => one !== id) : [...hidden, id]
    prefer({ hiddenColumns: { ...preferences().hiddenColumns, [table]: next } })
  }
  return (
    <Menu
      label="Columns"
      align="end"
      button={(props) => (
        <Button {...props} icon={<Columns3 size={14} aria-hidden />}>
          Columns
        </Button>
      )}
      items={[
        { heading: 'Columns' },
        ...columns.map(({ id, header, main = false }) => ({ text: header, checked: !hidden.includes(id), disabled: main, onSelect: () => toggle(id) })),
        { heading: 'Rows' },
        { text: 'Compact', checked: density === 'compact', onSelect: () => prefer({ density: density === 'compact' ? 'comfortable' : 'compact' }) },
      ]}
    />
  )
}

const OFFERED: readonly { readonly name: string; readonly search: Readonly<Record<string, string>> }[] = [
  { name: 'All', search: {} },
  { name: 'Needs its owner', search: { status: 'needs_reauth', sort: '-last_success' } },
  { name: 'Broken', search: { status: 'needs_reauth,blocked,degraded' } },
  { name: 'Renewed next', search: { status: 'active', sort: 'next' } },
]

/** Filters under a name. They are addresses: a colleague gets one as a link. */
export function SavedViews({ list, search }: { readonly list: string; readonly search: object }): ReactNode {
  const { views } = usePreferences()
  const [naming, setNaming] = useState(false)
  const [name, setName] = useState('')
  const navigate = useNavigate()
  const own = views[list] ?? []
  const go = (to: object): void => void navigate({ to: '.', search: to as never })
  const save = (): void => {
    prefer({ views: { ...preferences().views, [list]: [...own.filter((view) => view.name !== name.trim()), { name: name.trim(), search: without(search) }] } })
    setNaming(false)
    setName('')
  }
  const remove = (gone: string): void => prefer({ views: { ...preferences().views, [list]: own.filter((view) => view.name !== gone) } })
  const items: MenuItem[] = [
    { heading: 'Views' },
    ...OFFERED.map((view) => ({ text: view.name, onSelect: () => go(view.search) })),
    ...(own.length === 0 ? [] : [{ heading: 'Yours, in this browser' }, ...own.map((view) => ({ text: view.name, onSelect: () => go(view.search) }))]),
    { heading: 'This view' },
    { text: 'Save as…', onSelect: () => setNaming(true) },
    ...own.map((view) => ({ text: `Forget "${view.name}"`, onSelect: () => remove(view.name) })),
  ]
  return (
    <>
      <Menu
        label="Views"
        align="end"
        button={(props) => (
          <Button {...props} icon={<Bookmark size={14} aria-hidden />}>
            Views
          </Button>
        )}
        items={items}
      />
      <Confirm open={naming} onClose={() => setNaming(false)} title="Save this view" action="Save" onConfirm={() => (name.trim() === '' ? undefined : save())}>
        <TextField
          label="Name"
          value={name}
          onChange={setName}
          maxLength={40}
          required
          hint="Filters and order are kept in this browser. To share them, send the address of the page."
        />
      </Confirm>
    </>
  )
}
