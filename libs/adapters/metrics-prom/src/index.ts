export { createPromMetrics, type MetricSpec, type PromMetrics } from './prom-metrics.js';
