type Part =
  | 'banner'
  | 'list'
  | 'more'
  | 'incident'
  | 'icon'
  | 'text'
  | 'title'
  | 'body'
  | 'details'
  | 'actions'
  | 'primary'
  | 'secondary'
  | 'dismiss'
  | 'badge'
  | 'reconnect'

/** Class names of your own for parts of the components, instead of `evergrant-` and the name of the part, which `styles.css` knows. */
export type ClassNames = Partial<Record<Part, string>>

export const classOf = (part: Part, own: ClassNames | undefined): string => own?.[part] ?? `evergrant-${part}`
