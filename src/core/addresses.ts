/** The best non-empty class of a service's instances; `none` where it has no candidate. */
export type Tier = 'best' | 'running' | 'any' | 'none';
