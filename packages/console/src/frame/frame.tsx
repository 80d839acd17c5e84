import { Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { Menu as MenuIcon } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react'
import { IconButton } from '../design/button.tsx'
import { Toasts } from '../design/toasts.tsx'
import { prefer, preferences } from '../preferences/preferences.ts'
import { useShortcuts } from '../shortcuts/shortcuts.ts'
import { Banner } from './banner.tsx'
import styles from './frame.module.css'
import { LiveSwitch } from './live-switch.tsx'
import { Me } from './me.tsx'
import { Navigation } from './navigation.tsx'
import { OrganizationSwitcher } from './organization-switcher.tsx'
import { PageBoundary } from './page-boundary.tsx'
import { SearchButton } from './search-button.tsx'
import { SECTIONS } from './sections.ts'
import { ThemeMenu, ZoneMenu } from './view-menus.tsx'

const Palette = lazy(() => import('./palette.tsx').then((module) => ({ default: module.Palette })))
const KeyboardSheet = lazy(() => import('./keyboard-sheet.tsx').then((module) => ({ default: module.KeyboardSheet })))

type Over = 'palette' | 'keys' | 'nothing'

/** Around every page: where one is, what else there is, and whether what is shown is fresh. */
export function Frame(): ReactNode {
  const [over, setOver] = useState<Over>('nothing')
  const [drawer, setDrawer] = useState(false)
  const main = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  useFrameKeys(setOver)
  useFocusOnArrival(main, pathname)
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever went somewhere has chosen
  useEffect(() => setDrawer(false), [pathname])
  const close = (): void => setOver('nothing')
  return (
    <div className={styles['frame']}>
      <button type="button" className={styles['skip']} onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header className={styles['bar']}>
        <div className={styles['drawerButton']}>
          <IconButton
            label={drawer ? 'Close the navigation' : 'Open the navigation'}
            aria-expanded={drawer}
            aria-controls="navigation"
            onClick={() => setDrawer(!drawer)}
          >
            <MenuIcon size={18} aria-hidden />
          </IconButton>
        </div>
        <OrganizationSwitcher />
        <SearchButton onClick={() => setOver('palette')} />
        <div className={styles['tools']}>
          <LiveSwitch />
          <ZoneMenu />
          <ThemeMenu onKeys={() => setOver('keys')} />
          <Me />
        </div>
      </header>
      <nav id="navigation" aria-label="Console" className={styles['nav']} data-open={drawer || undefined}>
        <Navigation path={pathname} onKeys={() => setOver('keys')} />
      </nav>
      <main ref={main} tabIndex={-1} className={styles['main']}>
        <Banner />
        <PageBoundary path={pathname}>
          <Outlet />
        </PageBoundary>
      </main>
      <Toasts />
      <Suspense fallback={null}>
        {over === 'palette' ? <Palette onClose={close} onKeys={() => setOver('keys')} /> : null}
        {over === 'keys' ? <KeyboardSheet onClose={close} /> : null}
      </Suspense>
    </div>
  )
}

function useFrameKeys(setOver: (over: Over) => void): void {
  const navigate = useNavigate()
  const focusFilter = (): void => document.querySelector<HTMLElement>('[data-filter]')?.focus()
  useShortcuts('Everywhere', [
    { keys: 'Mod+k', text: 'Search, or paste an id', run: () => setOver('palette') },
    { keys: 'Shift+?', text: 'This sheet', run: () => setOver('keys') },
    { keys: '/', text: 'Filter this list', run: focusFilter },
    { keys: 'd', text: 'Dense or comfortable rows', run: () => prefer({ density: preferences().density === 'compact' ? 'comfortable' : 'compact' }) },
  ])
  useShortcuts(
    'Go to',
    SECTIONS.map(({ key, text, path }) => ({ keys: `g ${key}`, text, run: () => void navigate({ to: path as never }) })),
  )
}

/** After a change of page the focus is at its beginning, not in the navigation of the former one. The first page keeps the browser's own. */
function useFocusOnArrival(main: { readonly current: HTMLElement | null }, pathname: string): void {
  const before = useRef(pathname)
  useEffect(() => {
    if (before.current === pathname) return
    before.current = pathname
    main.current?.focus({ preventScroll: true })
  }, [main, pathname])
}
