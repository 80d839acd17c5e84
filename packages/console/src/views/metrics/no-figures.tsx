import type { ReactNode } from 'react'
import { Empty } from '../../design/states.tsx'

/** In the place of a picture that would show nothing. */
export function NoFigures({ title, children }: { readonly title: string; readonly children: string }): ReactNode {
  return (
    <>
      <h3>{title}</h3>
      <Empty title={children} />
    </>
  )
}
