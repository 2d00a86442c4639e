/**
 * Goal: every promise holds under every fault that a seed may draw. Method: real services in a world of virtual time, played for
 * fixed seeds, then judged by the oracle over histories alone. `npm run sim` plays fresh ones.
 */
import { playSeeds } from './play-seeds.js';

playSeeds(1, 1_000);
