-- Version 2: the columns that FOCUS 1.4 added. A file that had them before kept them in `Extras`.

ALTER TABLE records ADD COLUMN CommitmentProgramEligibilityDetails TEXT;

ALTER TABLE records ADD COLUMN InvoiceDetailId TEXT;

UPDATE records
SET CommitmentProgramEligibilityDetails = json_extract(Extras, '$.CommitmentProgramEligibilityDetails'),
    Extras = nullif(json_remove(Extras, '$.CommitmentProgramEligibilityDetails'), '{}')
WHERE json_type(Extras, '$.CommitmentProgramEligibilityDetails') = 'text';

UPDATE records
SET InvoiceDetailId = json_extract(Extras, '$.InvoiceDetailId'),
    Extras = nullif(json_remove(Extras, '$.InvoiceDetailId'), '{}')
WHERE json_type(Extras, '$.InvoiceDetailId') = 'text';
