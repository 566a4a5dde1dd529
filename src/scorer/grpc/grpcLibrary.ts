/**
 * The library of gRPC, as the build puts it into a bundle of its own: it is large, and most scorers start faster
 * without even reading it.
 */
export * from '@grpc/grpc-js';
