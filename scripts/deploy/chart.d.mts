/** What is wrong with the chart's values once these are put over them. */
export function valuesCheck(root: string): (over: unknown) => string[]
