import { niceStep, sliderEnd, sliderScale } from '@/submit/slider_scale';

const number = { min: null, max: null, minOpen: false, integer: false, multipleOf: null, initial: undefined };

describe('a slider', () => {
  it('is even over a plain range and keeps to whole numbers', () => {
    const scale = sliderScale({ ...number, min: 0, max: 100, integer: true, initial: 4 });
    expect(scale?.fromSlider(0)).toBe(0);
    expect(scale?.fromSlider(sliderEnd)).toBe(100);
    expect(scale?.fromSlider(503)).toBe(50);
    expect(scale?.toSlider(25)).toBe(250);
  });
  it('is logarithmic where a range spans many powers of ten', () => {
    const steps = sliderScale({ ...number, min: 1, max: 10_000_000, integer: true, initial: 1500 });
    expect(steps?.fromSlider(0)).toBe(1);
    expect(steps?.fromSlider(sliderEnd)).toBe(10_000_000);
    expect(steps?.toSlider(steps.fromSlider(500))).toBeGreaterThan(490);
    expect(steps?.toSlider(steps.fromSlider(500))).toBeLessThan(510);
    const rate = sliderScale({ ...number, min: 0, max: 1, minOpen: true, initial: 2e-4 });
    expect(rate?.fromSlider(0)).toBeGreaterThan(0);
    expect(rate?.fromSlider(sliderEnd)).toBe(1);
  });
  it('is not there without both bounds or over a range without meaning', () => {
    expect(sliderScale({ ...number, min: 0 })).toBeNull();
    expect(sliderScale({ ...number, min: 0, max: 4e9, integer: true })).toBeNull();
  });
  it('has steps that people would choose', () => {
    expect([0.5, 0.03, 7, 1].map(niceStep)).toEqual([0.5, 0.02, 5, 1]);
  });
});
