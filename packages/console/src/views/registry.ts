import type { ViewRoute } from './view-route.ts'

/**
 * The pages behind the other entries of the navigation. A page is added by a line here: its path, and the module that is loaded when somebody goes there.
 */
export const VIEWS: readonly ViewRoute[] = []
