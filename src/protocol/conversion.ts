import { z } from 'zod';
import type { ModelVersionSummary } from './registry.ts';
import { request } from './request.ts';

/** The flavours that can be converted to ONNX. */
export const convertibleFlavors = ['sklearn', 'xgboost', 'lightgbm'] as const;
export type ConvertibleFlavor = (typeof convertibleFlavors)[number];

/** Rows that a converted model was compared on. */
export type ConversionRows =
  /** Those that were logged with the model. */
  | 'example'
  /** The data of the model's run. */
  | 'dataset'
  /** Made up within the ranges that were seen in the others. */
  | 'generated';

/** How an output of the ONNX model differs from what the model gave that it was made of. */
export interface OutputDifference {
  readonly name: string;
  readonly rows: number;
  /** Rows whose values differ: labels at all, numbers by more than 1e-4 in relation. */
  readonly differentRows: number;
  /** Of numbers; null for labels. */
  readonly largestAbsolute: number | null;
  readonly meanAbsolute: number | null;
  /** The first rows that differ, as JSON. */
  readonly examples: readonly {
    readonly row: number;
    readonly expected: string;
    readonly converted: string;
  }[];
}

export interface ConversionCheck {
  readonly source: ConversionRows;
  readonly rows: number;
  /** Why there was nothing to compare on; null when there was. */
  readonly skipped: string | null;
  readonly outputs: readonly OutputDifference[];
}

/** A model that was converted, and waits for the person's decision. */
export interface ConversionReport {
  /** Names it until it is registered or discarded. */
  readonly id: string;
  readonly modelName: string;
  readonly modelVersion: number;
  readonly flavor: ConvertibleFlavor;
  /** Bytes of the ONNX file. */
  readonly size: number;
  /** What the file says of itself, such as its opset. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly checks: readonly ConversionCheck[];
}

const id = z.uuid();

/** What the extension host asks the engine about conversions to ONNX. */
export const conversionRequests = {
  /** Converts a version and compares both; nothing is registered yet. It loads the model, so `python/allow` comes first. */
  'conversion/convert': request<ConversionReport>()(
    z.object({
      name: z.string().min(1).max(256),
      version: z.number().int().positive(),
    }),
  ),
  /** Makes what was converted a new version of the same model. */
  'conversion/register': request<ModelVersionSummary>()(z.object({ id })),
  /** Forgets what was converted. */
  'conversion/discard': request<null>()(z.object({ id })),
} as const;
