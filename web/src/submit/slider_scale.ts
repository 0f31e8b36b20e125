// How a number's range lies on a slider of 0 to 1000: evenly, or by its logarithm where it spans many powers of ten.
import type { NumberField } from './form_model';

export const sliderEnd = 1_000;

export interface SliderScale {
  toSlider: (value: number) => number;
  fromSlider: (at: number) => number;
}

// null: without both bounds, or with a range too wide to mean anything, a number is only typed.
export function sliderScale(field: Pick<NumberField, 'min' | 'max' | 'minOpen' | 'integer' | 'multipleOf' | 'initial'>): SliderScale | null {
  const { min, max, integer, initial } = field;
  if (min === null || max === null || max <= min) return null;
  const step = field.multipleOf ?? (integer ? 1 : null);
  const start = typeof initial === 'number' ? initial : null;
  // An open lower bound of 0 stands for "tiny": a learning rate. Its scale begins two powers of ten below the default.
  const low = min > 0 ? min : field.minOpen && start !== null && start > 0 ? start / 1_000 : null;
  const usesLog = low !== null && max / low >= 5_000;
  if (!usesLog && low === null && integer && max - min > 1_000_000) return null;
  return usesLog && low !== null ? logScale(low, max, step) : evenScale(min, max, step);
}

function evenScale(min: number, max: number, step: number | null): SliderScale {
  const by = step ?? niceStep((max - min) / 200);
  return {
    toSlider: (value) => clamp(((value - min) / (max - min)) * sliderEnd),
    fromSlider: (at) => bounded(round(min + Math.round(((at / sliderEnd) * (max - min)) / by) * by), min, max),
  };
}

function logScale(min: number, max: number, step: number | null): SliderScale {
  const width = Math.log(max / min);
  return {
    toSlider: (value) => (value <= min ? 0 : clamp((Math.log(value / min) / width) * sliderEnd)),
    fromSlider: (at) => {
      const exact = min * Math.exp((at / sliderEnd) * width);
      const two = Number(exact.toPrecision(2));
      return bounded(step === null ? two : Math.max(step, Math.round(two / step) * step), min, max);
    },
  };
}

// 1, 2 or 5 times a power of ten, at most `wanted`.
export function niceStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const lead = wanted / power;
  return round((lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power);
}

const clamp = (at: number): number => Math.min(Math.max(Math.round(at), 0), sliderEnd);
const bounded = (n: number, min: number, max: number): number => Math.min(Math.max(n, min), max);
const round = (n: number): number => Number(n.toPrecision(12));
