// `@evergrant/sdk/axios`: any number of axios instances behind one Evergrant client.
export { attachEvergrant, type EvergrantAxiosOptions, type EvergrantFetch } from './attach.ts'
export { type AxiosAuthRefreshOptions, type AxiosAuthRefreshRequestConfig, createAuthRefresh, createAuthRefreshInterceptor } from './create-auth-refresh.ts'
