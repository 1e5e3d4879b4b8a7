import { ReflectionKind, type DeclarationReflection, type Reflection } from 'typedoc';
import { MarkdownTheme, MarkdownThemeContext, type MarkdownPageEvent } from 'typedoc-plugin-markdown';

/** The theme of typedoc-plugin-markdown without the parts that repeat a signature, so that the page can be scanned. */
export class ApiTheme extends MarkdownTheme {
  override getRenderContext(page: MarkdownPageEvent<Reflection>): MarkdownThemeContext {
    const context = new MarkdownThemeContext(this, page, this.application.options);
    context.partials = leaner(context);
    return context;
  }
}

const RULE = /^\*\*\*\n\n/gm;

type Partials = MarkdownThemeContext['partials'];

function leaner(context: MarkdownThemeContext): Partials {
  const { partials } = context;
  const nothing = (): string => '';
  return {
    ...partials,
    // Omitted, because they are in the signature or in the doc comment.
    signatureReturns: nothing,
    hierarchy: nothing,
    inheritance: nothing,
    // Overloads differ only in their signatures, so they share one description.
    signatures({ signatures = [] }, { headingLevel }) {
      const titles = signatures.map((signature) => partials.signatureTitle(signature));
      const comment = signatures.find((signature) => signature.comment)?.comment;
      const said = comment === undefined ? [] : [partials.comment(comment, { headingLevel })];
      return [...titles, ...said].join('\n\n');
    },
    accessor({ getSignature }, { headingLevel }) {
      if (getSignature === undefined) return '';
      const { comment } = getSignature;
      const said = comment === undefined ? [] : [partials.comment(comment, { headingLevel })];
      return [partials.signatureTitle(getSignature, { accessor: 'get' }), ...said].join('\n\n');
    },
    unionType: ({ types }) => types.map((type) => partials.someType(type)).join(' \\| '),
    // A list, because the cells of a table would be too long to read.
    propertiesTable: (properties) => properties.map((property) => item(property, context)).join('\n'),
    // A type with only properties needs no heading for them.
    groups(model, options) {
      const [group, ...others] = model.groups ?? [];
      const properties = group?.children.filter((child) => child.isDeclaration()) ?? [];
      const only = others.length === 0 && properties.every(({ kind }) => kind === ReflectionKind.Property);
      return only ? this.propertiesTable(properties) : partials.groups(model, options);
    },
    members(model, options) {
      const constants = model.every(({ kind }) => kind === ReflectionKind.Variable);
      return constants ? this.propertiesTable(model) : partials.members(model, options).replaceAll(RULE, '');
    },
  };
}

/** Types that are longer, such as lists of overloads, are left out: the description says what they are. */
const MAX_TYPE = 300;

/** A property with its type, or the value of a constant, and its description. */
function item(property: DeclarationReflection, { partials, helpers }: MarkdownThemeContext): string {
  const { name, flags, comment } = property;
  const type = helpers.getDeclarationType(property);
  const shown = type ? partials.someType(type) : '';
  const typed = shown === '' || shown.length > MAX_TYPE ? '' : ` (${shown})`;
  const text = comment === undefined ? '' : `: ${partials.comment(comment, { isTableColumn: true })}`;
  return `- \`${name}${flags.isOptional ? '?' : ''}\`${typed}${text}`.replaceAll(/\s+/g, ' ');
}
