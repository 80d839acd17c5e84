import { Search } from 'lucide-react'
import type { ReactNode } from 'react'
import styles from './search-button.module.css'

/** Looks like the field that opens behind it. */
export function SearchButton({ onClick }: { readonly onClick: () => void }): ReactNode {
  const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)
  return (
    <button type="button" className={styles['search']} aria-keyshortcuts={isMac ? 'Meta+K' : 'Control+K'} onClick={onClick}>
      <Search size={15} aria-hidden />
      <span>Search or paste an id</span>
      <kbd>{isMac ? '⌘K' : 'Ctrl K'}</kbd>
    </button>
  )
}
