import { type ReactNode, useEffect, useId } from 'react'
import styles from './card.module.css'
import { classes } from './class-names.ts'

interface CardProps {
  readonly title: ReactNode
  /** A quiet sentence beside the title. */
  readonly note?: ReactNode
  readonly actions?: ReactNode
  /** Without padding, for tables and lists. */
  readonly flush?: boolean
  readonly children: ReactNode
}

/** A part of a page with a heading of its own. */
export function Card({ title, note, actions, flush = false, children }: CardProps): ReactNode {
  const id = useId()
  return (
    <section className={styles['card']} aria-labelledby={id}>
      <header className={styles['head']}>
        <h2 id={id}>{title}</h2>
        {note === undefined ? null : <p className={styles['note']}>{note}</p>}
        {actions}
      </header>
      <div className={flush ? styles['flush'] : styles['body']}>{children}</div>
    </section>
  )
}

interface PageProps {
  readonly title: string
  /** What stands in the tab when it is not the title. */
  readonly tabTitle?: string
  readonly heading?: ReactNode
  readonly lead?: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
}

/** A page of the console: its one `h1`, what can be done with all of it, and its parts. Names the browser's tab, too. */
export function Page({ title, tabTitle = title, heading, lead, actions, children }: PageProps): ReactNode {
  useEffect(() => {
    document.title = `${tabTitle} · Evergrant`
  }, [tabTitle])
  return (
    <div className={styles['page']}>
      <header className={styles['pageHead']}>
        <div>
          <h1>{heading ?? title}</h1>
          {lead === undefined ? null : <p className={styles['lead']}>{lead}</p>}
        </div>
        {actions === undefined ? null : <div className={styles['actions']}>{actions}</div>}
      </header>
      {children}
    </div>
  )
}

/** Names and values below each other. Rows with `null` are left out. */
export function Facts({ rows }: { readonly rows: readonly (readonly [name: string, value: ReactNode] | null)[] }): ReactNode {
  return (
    <dl className={styles['facts']}>
      {rows.map((row) =>
        row === null ? null : (
          <div key={row[0]}>
            <dt>{row[0]}</dt>
            <dd>{row[1] ?? <span className={classes(styles['note'])}>none</span>}</dd>
          </div>
        ),
      )}
    </dl>
  )
}
