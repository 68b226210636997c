/** A value that a message cannot hold, or bytes that are not one. */
export class FieldError extends Error {
  /** The path of the field, such as `check.inputTokens`. */
  field: string;

  constructor(field: string, message: string) {
    super(message);
    this.name = "FieldError";
    this.field = field;
  }
}
