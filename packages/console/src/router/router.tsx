import { type AnyRouter, createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import type { ComponentType, ReactNode } from 'react'
import { connectionSearch } from '../connections/connection-search.ts'
import { buttonClass } from '../design/button.tsx'
import { Page } from '../design/card.tsx'
import { Empty, Loading, ProblemNote } from '../design/states.tsx'
import { Frame } from '../frame/frame.tsx'
import { VIEWS } from '../views/registry.ts'
import type { ViewRoute } from '../views/view-route.ts'
import { To } from './link.tsx'
import { textsOf } from './page-search.ts'

const PAGES: readonly ViewRoute[] = [
  { path: '/', section: '/', load: () => import('../overview/overview-page.tsx').then((module) => module.OverviewPage) },
  {
    path: '/connections',
    section: '/connections',
    search: connectionSearch,
    load: () => import('../connections/connections-page.tsx').then((module) => module.ConnectionsPage),
  },
  {
    path: '/connections/$id',
    section: '/connections',
    search: (search) => textsOf(search, ['tab']),
    load: () => import('../connections/connection-page.tsx').then((module) => module.ConnectionPage),
  },
  {
    path: '/welcome',
    section: '/',
    search: (search) => textsOf(search, ['step']),
    load: () => import('../wizard/welcome-page.tsx').then((module) => module.WelcomePage),
  },
]

/** Every page below the `<base>` of the document. Each is loaded when somebody goes there, or is about to. */
export function createConsoleRouter(): AnyRouter {
  const root = createRootRoute({
    component: Frame,
    notFoundComponent: NotFound,
    // What stands around the pages failed, as when a part of it is gone from a newer server: only a new start helps.
    errorComponent: ({ error }) => <ProblemNote title="The console failed" error={error} onRetry={() => location.reload()} />,
  })
  const routes = [...PAGES, ...VIEWS].map(({ path, search, load }) =>
    createRoute({
      getParentRoute: () => root,
      path,
      validateSearch: search ?? ((given: Readonly<Record<string, unknown>>) => given),
      component: lazyRouteComponent(async (): Promise<{ default: ComponentType }> => ({ default: await load() })),
    }),
  )
  return createRouter({
    routeTree: root.addChildren(routes),
    basepath: new URL(document.baseURI).pathname,
    defaultPreload: 'intent',
    // Nothing that was typed, opened or asked about one connection is carried over to another.
    defaultRemountDeps: ({ params }) => params,
    defaultPendingComponent: () => <Loading rows={8} />,
    defaultPendingMs: 150,
    scrollRestoration: true,
  })
}

function NotFound(): ReactNode {
  return (
    <Page title="There is no such page">
      <Empty
        title="Nothing is at this address"
        action={
          <To to="/" className={buttonClass({ look: 'primary' })}>
            Go to the overview
          </To>
        }
      >
        <p>The address may be mistyped, or from another version.</p>
      </Empty>
    </Page>
  )
}
