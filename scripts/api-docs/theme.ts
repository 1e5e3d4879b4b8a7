import { ReflectionKind, type Reflection } from 'typedoc';
import { MarkdownTheme, MarkdownThemeContext, type MarkdownPageEvent } from 'typedoc-plugin-markdown';

/** The theme of typedoc-plugin-markdown without the parts that repeat a signature, so that the page can be scanned. */
export class ApiTheme extends MarkdownTheme {
  override getRenderContext(page: MarkdownPageEvent<Reflection>): MarkdownThemeContext {
    const context = new MarkdownThemeContext(this, page, this.application.options);
    context.partials = leaner(context.partials);
    return context;
  }
}

// Anchors are removed, because their numbers change with every member that is added before them.
const ANCHOR = /<a id="[^"]*"><\/a> /g;
const RULE = /^\*\*\*\n\n/gm;

type Partials = MarkdownThemeContext['partials'];

function leaner(partials: Partials): Partials {
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
    // On one line for tables: no line breaks between the members.
    unionType: ({ types }) => types.map((type) => partials.someType(type)).join(' \\| '),
    propertiesTable: (model, options) => partials.propertiesTable(model, options).replaceAll(ANCHOR, ''),
    // A type with only properties needs no heading for them.
    groups(model, options) {
      const [group, ...others] = model.groups ?? [];
      const properties = group?.children.filter((child) => child.isDeclaration()) ?? [];
      const only = others.length === 0 && properties.every(({ kind }) => kind === ReflectionKind.Property);
      return only ? this.propertiesTable(properties) : partials.groups(model, options);
    },
    members(model, options) {
      const constants = model.every(({ kind }) => kind === ReflectionKind.Variable);
      return constants
        ? this.propertiesTable(model).replace('| Property | Type |', '| Constant | Value |')
        : partials.members(model, options).replaceAll(RULE, '');
    },
  };
}
