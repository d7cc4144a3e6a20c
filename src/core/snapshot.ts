// The platform's answers as plain data: only the fields that we read, already checked and normalized.
//
// Source: the platform's published OpenAPI document; inputs/snapshot.ts makes it from the answers.
import type { Secret } from './secret.ts';

export type Snapshot = {
  /** `GET /v1/container`: the container that we run in. */
  readonly self: Container;
  /** `GET /v1/environment/containers`: the services, ourselves among them. */
  readonly containers: readonly Container[];
  /** `GET /v1/environment/instances`: where they can be reached. */
  readonly instances: readonly Instance[];
  /** The identity endpoints may fail without stopping the start. */
  readonly hub?: NamedThing;
  readonly environment?: NamedThing;
  readonly server?: Server;
  /** Only asked for by `debug`, which shows them. */
  readonly certificates?: readonly CertificateSummary[];
};

export type NamedThing = { readonly id: string; readonly name: string };

export type Server = { readonly id: string; readonly hostname: string };

/** The domains a certificate is for. Its private key is not a part of it. */
export type CertificateSummary = { readonly id: string; readonly domains: readonly string[] };

/** What its files are made of; fetched for `init.certificates` alone. */
export type Certificate = CertificateSummary & {
  readonly privateKey: Secret;
  /** The certificate and those that it was signed with, PEM. */
  readonly bundle: string;
};

/** A container is a service of the environment; its name is the service name. */
export type Container = {
  readonly id: string;
  readonly name: string;
  readonly identifier: string;
  /** `deployment.version`; undefined for a container in no deployment. */
  readonly deployment?: string;
  /** `state.current`. */
  readonly state?: string;
};

export type Instance = {
  readonly id: string;
  readonly containerId: string;
  readonly serverId: string;
  readonly hostname: string;
  /** `active`, `purge`, `hibernate`, `configuring`, or a word of a newer platform. */
  readonly readyState: string;
  /** `state.current`: `new`, `starting`, `running`, `deleting`, … */
  readonly state: string;
  /** Only an explicit `false` of the platform counts as unhealthy or not ready; `null` does not. */
  readonly isHealthy: boolean;
  readonly isReady: boolean;
  readonly isDraining: boolean;
  /** Set for the platform's own services: `discovery`, `vpn`, `loadbalancer`, `scheduler`, `gateway`. */
  readonly platformService?: string;
  /** `environment.legacy.ipv4.ip`, without a prefix length. */
  readonly ipv4?: string;
  /** `environment.ipv6.ip`, without a prefix length. */
  readonly ipv6?: string;
};
