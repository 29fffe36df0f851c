package fewsh.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fewsh.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CatalogueTest {
    @Test
    void everyEntryCanBePulledByName() {
        Catalogue catalogue = Catalogue.builtIn();
        assertTrue(catalogue.find("smollm2").isPresent());
        for (Catalogue.Entry entry : catalogue.entries()) {
            assertTrue(entry.size() > 0 && !entry.what().isEmpty() && !entry.licence().isEmpty() && !entry.sources().isEmpty(),
                    entry.name());
            for (Source source : entry.sources()) assertTrue(!(source instanceof Source.Local), source.spec());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "{'models':[{}]}", "{'models':[{'name':'../x'}]}",
        "{'models':[{'name':'x','what':'','licence':'','files':[{'name':'a','size':1,'sha256':''}],'sources':[]}]}",
        "{'models':[{'name':'x','what':'','licence':'','files':[],'sources':['hf:x']}]}",
        "{'models':[{'name':'x','what':'','licence':'','files':[],'sources':[3]}]}"})
    void whatIsNoCatalogueIsAUserError(String json) {
        assertThrows(UserError.class, () -> Catalogue.read(json.replace('\'', '"'), "c.json"));
    }
}
