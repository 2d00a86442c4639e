import model from 'wink-eng-lite-web-model';
import winkNLP, { type ItemEntity } from 'wink-nlp';

/** What the specialist found in one paragraph. */
export interface Findings {
  /** Amounts in dollars; the model knows `$1,850.00`, not `EUR 1,850.00`. */
  readonly amounts: readonly number[];
  readonly dates: readonly string[];
  /** -1 (bad) to 1 (good). */
  readonly sentiment: number;
}

const nlp = winkNLP(model);
const { its } = nlp;

/** Reads one paragraph with a classical language model (wink-nlp, its English lite model): named entities and tone, no generation. */
export function read(paragraph: string): Findings {
  const document = nlp.readDoc(paragraph);
  const found = (type: string): string[] => {
    const values: string[] = [];
    document.entities().each((entity: ItemEntity) => {
      if (entity.out(its.type) === type) values.push(String(entity.out(its.value)));
    });
    return values;
  };
  return {
    amounts: found('MONEY')
      .map(dollars)
      .filter((amount) => Number.isFinite(amount)),
    dates: found('DATE'),
    sentiment: Number(document.out(its.sentiment)),
  };
}

const dollars = (text: string): number => Number(text.replace(/[^0-9.]/g, ''));
