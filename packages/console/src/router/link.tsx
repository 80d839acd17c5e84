import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

interface ToProps {
  /** A path of the console: `/connections/con_1`. */
  readonly to: string
  readonly search?: object | undefined
  readonly className?: string | undefined
  readonly title?: string
  readonly 'aria-label'?: string
  readonly children: ReactNode
}

/** A link inside the console. Paths come from data here (what a number leads to), so they are not checked against the list of routes. */
export function To({ to, search, children, ...rest }: ToProps): ReactNode {
  return (
    <Link {...rest} to={to as never} {...(search === undefined ? {} : { search: search as never })} activeOptions={{ exact: true }}>
      {children}
    </Link>
  )
}
